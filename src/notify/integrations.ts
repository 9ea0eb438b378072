import { TocsinError } from '../engine/index.ts';
import type { ReceiverConfig, ReceiversConfig } from './config.ts';
import type { ReceiverGlobals } from './config-global.ts';
import { createConsole } from './console.ts';
import type { Integration, IntegrationContext } from './integration.ts';
import { createNatsIntegration, type Publisher } from './nats.ts';
import { createDiscord } from './discord.ts';
import { createEmail } from './email.ts';
import { createMsteams, createMsteamsv2 } from './msteams.ts';
import { createOpsgenie } from './opsgenie.ts';
import { createPagerduty } from './pagerduty.ts';
import { createPushover } from './pushover.ts';
import { createSlack } from './slack.ts';
import { createTelegram } from './telegram.ts';
import { createVictorops } from './victorops.ts';
import { createWebhook } from './webhook.ts';
import { defaultTemplates } from '../template/index.ts';

export interface BuildOptions extends IntegrationContext {
  /** Null where no NATS server is configured. */
  readonly publisher: Publisher | null;
  readonly print: (text: string) => void;
}

type Key = Exclude<keyof ReceiverConfig, 'name'>;
type Builders = {
  readonly [K in Key]: (
    name: string,
    config: ReceiverConfig[K][number],
    options: BuildOptions,
  ) => Integration;
};

/** In this order an integration stands in its receiver's list. */
const builders: Builders = {
  webhook_configs: createWebhook,
  slack_configs: createSlack,
  email_configs: createEmail,
  pagerduty_configs: (name, config, options) => createPagerduty(name, config, options),
  opsgenie_configs: createOpsgenie,
  msteams_configs: createMsteams,
  msteamsv2_configs: createMsteamsv2,
  telegram_configs: createTelegram,
  discord_configs: createDiscord,
  pushover_configs: (name, config, options) => createPushover(name, config, options),
  victorops_configs: createVictorops,
  nats_configs(name, config, { publisher }) {
    if (!publisher)
      throw new TocsinError('TOC_CONFIG_INVALID', 'it publishes to NATS, but no nats.servers are configured');
    return createNatsIntegration(name, config, publisher);
  },
  console_configs: (name, config, { print, externalUrl }) =>
    createConsole({ name, sendResolved: config.send_resolved, print, externalUrl }),
};

const keys = Object.keys(builders) as readonly Key[];

/** The integrations of a receiver. Throws TOC_CONFIG_INVALID, which names the integration, where something is missing. */
export function buildIntegrations(receiver: ReceiverConfig, options: BuildOptions): Integration[] {
  return entriesOf(receiver).map(({ key, index, config }) => {
    try {
      return buildOne(key, index, config, options);
    } catch (cause) {
      if (!(cause instanceof TocsinError)) throw cause;
      const message = `receiver ${receiver.name}, ${nameOf(key, index)}: ${cause.message}`;
      throw new TocsinError(cause.code, message, { cause });
    }
  });
}

interface Entry {
  readonly key: Key;
  readonly index: number;
  readonly config: unknown;
}

function entriesOf(receiver: ReceiverConfig): Entry[] {
  return keys.flatMap((key) => receiver[key].map((config, index) => ({ key, index, config })));
}

function nameOf(key: Key, index: number): string {
  return `${key.replace(/_configs$/, '')}[${index}]`;
}

/** `config` is of the section `key`, which the type of the table of builders says and TypeScript cannot follow. */
function buildOne(key: Key, index: number, config: unknown, options: BuildOptions): Integration {
  const build = builders[key] as (name: string, config: unknown, options: BuildOptions) => Integration;
  return build(nameOf(key, index), config, options);
}

/** Something that neither an integration nor the global configuration says. */
export interface ReceiverMistake {
  /** Within the section `receivers`, such as `[0, 'slack_configs', 1]`. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What is missing in receivers that fall back to `globals`; NATS aside, which has a section of its own. */
export function receiverMistakes(receivers: ReceiversConfig, globals: ReceiverGlobals): ReceiverMistake[] {
  const options: BuildOptions = {
    globals,
    get templates() {
      return defaultTemplates();
    },
    externalUrl: '',
    publisher: { publish: async () => undefined },
    print: () => undefined,
  };
  return receivers.flatMap((receiver, at) =>
    entriesOf(receiver).flatMap(({ key, index, config }) => {
      try {
        buildOne(key, index, config, options);
        return [];
      } catch (error) {
        if (!(error instanceof TocsinError)) throw error;
        return [{ path: [at, key, index], message: error.message }];
      }
    }),
  );
}
