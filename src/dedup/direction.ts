/**
 * Words that turn a statement into its opposite or another degree, a line for each scale that they stand on. Texts whose sequences of
 * such words differ are never near-duplicates: `link up` is not `link down`, whatever the rest says. This is the one table of them:
 * a word that is missing here lets two different things become one, a word too many only keeps two of one thing apart.
 */
export const scales: readonly (readonly string[])[] = `
  up down
  upper higher lower
  uplink downlink
  upstream downstream
  upload download
  upgrade downgrade upgrades downgrades upgraded downgraded upgrading downgrading
  high low
  highest lowest
  max maximum maximal min minimum minimal
  most least
  more less fewer
  many few
  greater lesser larger smaller bigger
  large small big tiny
  long short longer shorter longest shortest
  wide narrow
  heavy light
  deep shallow
  strong weak stronger weaker
  full empty filled drained nonempty
  above below
  over under
  overflow underflow overrun underrun
  overload underload overloaded underloaded
  overvoltage undervoltage overcurrent undercurrent
  exceeds exceeded exceeding
  start starts started starting stop stops stopped stopping
  begin begins began begun beginning end ends ended ending
  launched terminate terminated terminating
  running halted halting shutdown crashed
  restart restarted restarting
  booted reboot rebooted rebooting
  spawned killed
  alive dead died
  wake awake asleep sleep sleeping
  pause pauses paused pausing resume resumes resumed resuming suspend suspended
  frozen unfrozen thawed
  connect connects connected connecting disconnect disconnects disconnected disconnecting
  reconnect reconnected reconnecting
  attach attaches attached attaching detach detaches detached detaching
  mount mounts mounted unmount unmounts unmounted remounted
  join joins joined joining leave leaves left leaving
  right
  enter enters entered entering exit exits exited exiting
  bind bound unbound
  link linked unlink unlinked
  plugged unplugged
  paired unpaired
  mapped unmapped
  register registered unregister unregistered deregistered
  subscribe subscribed unsubscribe unsubscribed
  assigned unassigned reassigned
  scheduled unscheduled
  increase increases increased increasing decrease decreases decreased decreasing
  increment incremented decrement decremented
  rise rises rising rose risen fall falls falling fell fallen
  drop drops dropped dropping spike spikes spiked spiking surge surged plunge plunged
  grow grows growing grew grown shrink shrinks shrinking shrank shrunk
  expand expanded expanding contract contracted contracting collapse collapsed
  ascending descending
  gain gains gained won lose loses lost losing
  open opens opened opening close closes closed closing
  on off
  online offline
  enable enables enabled enabling disable disables disabled disabling
  active inactive
  activate activated activating deactivate deactivated deactivating
  armed disarmed
  muted unmuted
  healthy unhealthy
  available unavailable
  reachable unreachable
  accessible inaccessible
  responsive unresponsive
  responding unresponding
  ready unready notready
  valid invalid
  known unknown
  present absent missing found
  expected unexpected
  stable unstable
  consistent inconsistent
  complete completed completes incomplete uncompleted
  finished unfinished aborted canceled cancelled
  sufficient insufficient enough
  equal unequal different same identical
  match matches matched mismatch mismatched
  supported unsupported
  compatible incompatible
  recoverable unrecoverable irrecoverable
  resolvable unresolvable
  synced unsynced synchronized unsynchronized desynchronized resynced
  secure insecure
  trusted untrusted
  authorized unauthorized
  authenticated unauthenticated
  signed unsigned
  visible invisible hidden shown
  busy idle
  free used unused
  success successful successfully unsuccessful succeeded succeeds failure failures failed fails failing
  pass passes passed passing
  ok okay good bad
  better worse best worst
  improved improving worsened worsening
  recovered recovery recovering unrecovered
  resolved resolve resolves unresolved
  firing fired cleared raised triggered acknowledged unacknowledged
  fast slow faster slower
  early late earlier later
  before after
  first last
  next previous
  ahead behind
  forward backward forwards backwards
  hot cold hotter colder
  warm cool warmer cooler
  overheated overheating undercooled
  heating cooling
  wet dry
  positive negative
  plus minus
  true false
  yes no
  not never none neither without cannot cant dont nothing
  isn aren wasn weren doesn didn don couldn shouldn wouldn hasn haven hadn mustn ain t
  always
  allow allows allowed allowing disallow disallowed deny denies denied denying
  permit permits permitted forbid forbids forbidden prohibited
  accept accepts accepted accepting reject rejects rejected rejecting refuse refused
  grant grants granted revoke revokes revoked
  lock locks locked unlock unlocks unlocked
  block blocks blocked blocking unblock unblocked
  ban banned unban unbanned
  add adds added adding remove removes removed removing
  create creates created creating delete deletes deleted deleting destroyed
  insert inserts inserted inserting eject ejected extracted
  install installs installed installing uninstall uninstalled
  deployed undeployed
  load loads loaded loading unload unloaded
  push pushed pushing pull pulled pulling
  send sends sent sending receive receives received receiving
  read reads reading write writes writing written
  input output
  in out
  inbound outbound
  incoming outgoing
  ingress egress
  source destination
  client server
  login logins logout
  logon logoff
  encrypt encrypted encryption decrypt decrypted decryption
  compress compressed decompress decompressed uncompressed
  import imports imported export exports exported
  primary secondary
  master slave
  leader follower candidate
  replica standby
  promote promoted promotion demote demoted demotion
  elected deposed
  degraded normal abnormal
  critical warning error fatal info major minor emergency
  charge charges charging charged uncharged discharge discharges discharging discharged
  acquire acquired release released
  commit committed uncommitted rollback rolledback
  expired unexpired renewed
  front back
  internal external
  private public
  local remote
  north south east west
  northbound southbound eastbound westbound
`
  .trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/));

/** All words of the table. */
export const directionWords: ReadonlySet<string> = new Set(scales.flat());
