import { z } from 'zod';
import { stormsConfig, transientsConfig } from '../calm/index.ts';
import { clusterConfig } from '../cluster/index.ts';
import { correlateConfig } from '../correlate/index.ts';
import { dedupConfig } from '../dedup/index.ts';
import { dispatchConfig, routeConfig, timeIntervalsConfig } from '../dispatch/index.ts';
import { historyConfig } from '../history/index.ts';
import { servicesConfig } from '../incident/index.ts';
import { inhibitRulesConfig, muteConfig } from '../mute/index.ts';
import { checkGlobals, globalKeys, receiversConfig } from '../notify/index.ts';
import { runbooksConfig } from '../runbook/index.ts';
import { scoreConfig } from '../score/index.ts';
import { fleetConfig } from './fleet/config.ts';
import { globalConfig, natsConfig, sourceConfig } from '../source/index.ts';
import { triageConfig } from '../triage/index.ts';
import { durationSchema, urlSchema } from '../alert/index.ts';

const storageConfig = z.strictObject({
  /** Folder of the log, the checkpoints and the embedded history. */
  path: z.string().min(1).default('tocsin-data'),
  /** How much log time may pass between two checkpoints. */
  checkpoint_interval: durationSchema.prefault('10s'),
  /** How long log entries and recorded outcomes are kept once a checkpoint has them. */
  log_retention: durationSchema.prefault('7d'),
  /** Reports are refused with 503 while this many log entries wait to be folded in. */
  max_lag_entries: z.int().min(1).default(10_000),
});

const serverConfig = z.strictObject({
  /** `host:port`. Another host than loopback needs `bearer_token_file`. */
  listen: z.string().default('127.0.0.1:9093'),
  /** File that holds the token which every request must carry. */
  bearer_token_file: z.string().optional(),
  /** How this server is reached from outside; used in pages. */
  external_url: urlSchema({ hasQuery: false }).optional(),
});

/** The whole configuration. Each room owns its section; a file that `alertmanager` reads keeps its meaning here. */
export const tocsinConfig = z.strictObject({
  /** An Alertmanager configuration, beside this file, that stands for `route`, `receivers` and what belongs to them. */
  alertmanager: z.string().min(1).optional(),
  global: globalConfig
    .extend(globalKeys)
    .superRefine((section, context) => checkGlobals(section, context))
    .prefault({}),
  source: sourceConfig.prefault({}),
  inhibit_rules: inhibitRulesConfig.prefault([]),
  mute: muteConfig.prefault({}),
  dedup: dedupConfig.prefault({}),
  score: scoreConfig.prefault({}),
  services: servicesConfig.prefault([]),
  correlate: correlateConfig.prefault({}),
  triage: triageConfig.prefault({}),
  runbooks: runbooksConfig.prefault({}),
  storms: stormsConfig.prefault({}),
  transients: transientsConfig.prefault({}),
  route: routeConfig.prefault({ receiver: 'console', group_by: ['incident'], min_priority: 'P3' }),
  time_intervals: timeIntervalsConfig.prefault([]),
  dispatch: dispatchConfig.prefault({}),
  /** Files with Go templates, beside this file. */
  templates: z.array(z.string().min(1)).default([]),
  receivers: receiversConfig.prefault([{ name: 'console', console_configs: [{}] }]),
  history: historyConfig.prefault({}),
  nats: natsConfig.optional(),
  cluster: clusterConfig.optional(),
  fleet: fleetConfig.optional(),
  storage: storageConfig.prefault({}),
  server: serverConfig.prefault({}),
});

export type TocsinConfig = z.output<typeof tocsinConfig>;
