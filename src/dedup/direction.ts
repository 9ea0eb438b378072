/**
 * Words that turn a statement into its opposite or another degree. Texts whose sequences of such words differ are never
 * near-duplicates: `link up` is not `link down`, whatever the rest says.
 */
export const directionWords: ReadonlySet<string> = new Set(
  `
  up down upper lower uplink downlink upstream downstream upload download upgrade downgrade upgraded downgraded
  high low higher lower highest lowest max min maximum minimum most least more less fewer many few greater lesser smaller larger
  full empty filled drained above below over under exceeds exceeded
  start starts started starting stop stops stopped stopping begin begins began end ends ended pause paused resume resumed
  connect connects connected connecting disconnect disconnects disconnected disconnecting attach attached detach detached
  mount mounted unmount unmounted join joined leave left enter enters entered entering exit exits exited exiting
  increase increases increased increasing decrease decreases decreased decreasing rise rises rising rose risen
  fall falls falling fell fallen drop drops dropped dropping spike spiked grow growing grew shrink shrinking shrank
  gain gained gains lose loses lost open opens opened opening close closes closed closing
  on off online offline enable enabled enables disable disabled disables active inactive activated deactivated
  healthy unhealthy available unavailable reachable unreachable responsive unresponsive responding unresponding
  ready unready valid invalid known unknown present absent missing found expected unexpected stable unstable
  success successful succeeded succeeds failure failed fails failing pass passed passing ok okay good bad
  recovered recovery resolved resolve firing fired cleared raised triggered acknowledged
  fast slow faster slower early late earlier later before after first last
  hot cold warm wet dry positive negative plus minus true false yes no not never none neither without cannot
  allow allows allowed deny denies denied permit permitted forbid forbidden accept accepts accepted reject rejects rejected
  grant granted revoke revoked lock locked unlock unlocked block blocked unblock unblocked
  add adds added remove removes removed create creates created delete deletes deleted insert inserted
  install installed uninstall uninstalled load loaded unload unloaded push pushed pull pulled send sent sends receive received receives
  read reads reading write writes writing input output in out inbound outbound incoming outgoing ingress egress
  source destination client server login logout logon logoff encrypt encrypted decrypt decrypted import imported export exported
  primary secondary master slave replica leader follower standby promoted demoted
  degraded normal abnormal critical warning error fatal info major minor emergency
  charge charging charged discharge discharging discharged acquire acquired release released commit committed rollback
  front back internal external private public local remote north south east west
  `
    .trim()
    .split(/\s+/),
);
