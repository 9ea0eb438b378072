import { z } from 'zod';
import { durationSchema } from '../../alert/index.ts';
import { routeConfig, timeIntervalsConfig } from '../../dispatch/index.ts';
import { inhibitRulesConfig } from '../../mute/index.ts';
import { checkGlobals, globalKeys, receiversConfig } from '../../notify/index.ts';

const text = z.string().optional();

/** Section `global` with all its keys. What is for one integration is read by that integration. */
const globalSection = z
  .strictObject({
    resolve_timeout: durationSchema.prefault('5m'),
    ...globalKeys,
    wechat_api_url: text,
    wechat_api_secret: text,
    wechat_api_secret_file: text,
    wechat_api_corp_id: text,
    webex_api_url: text,
    jira_api_url: text,
    mattermost_webhook_url: text,
    mattermost_webhook_url_file: text,
    rocketchat_api_url: text,
    rocketchat_token: text,
    rocketchat_token_file: text,
    rocketchat_token_id: text,
    rocketchat_token_id_file: text,
  })
  .superRefine((section, context) => checkGlobals(section, context));

/** A whole Alertmanager configuration (config/config.go). Its sections mean what they mean in Tocsin's own file. */
export const alertmanagerConfig = z.strictObject({
  global: globalSection.prefault({}),
  route: z
    .unknown()
    .refine((route) => route !== undefined, 'no route provided in config')
    .pipe(routeConfig),
  inhibit_rules: inhibitRulesConfig.prefault([]),
  receivers: receiversConfig,
  /** Files with Go templates, for the integrations that use them. */
  templates: z.array(z.string()).default([]),
  time_intervals: timeIntervalsConfig.prefault([]),
  /** The older name of `time_intervals`. */
  mute_time_intervals: timeIntervalsConfig.prefault([]),
});
