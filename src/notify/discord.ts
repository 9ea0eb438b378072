import type { DiscordConfig } from './config-chat.ts';
import { HttpClient } from './http-client.ts';
import type { Integration, IntegrationContext } from './integration.ts';
import { pageOf, truncate, withoutEmpty } from './page.ts';
import { secretOf } from './secret-file.ts';

/** https://discord.com/developers/docs/resources/message#embed-object-embed-limits */
const maxTitleLength = 256;
const maxDescriptionLength = 4096;
const maxContentLength = 2000;

const red = 0x992d22;
const green = 0x2ecc71;

/** An embed by a Discord webhook, as Alertmanager sends it (notify/discord/discord.go), cut to what Discord takes. */
export function createDiscord(name: string, config: DiscordConfig, context: IntegrationContext): Integration {
  const client = new HttpClient(config.http_config ?? context.globals.http_config);
  return {
    name,
    sendResolved: config.send_resolved,
    async send(id, notification, stop) {
      const { text } = pageOf(context, id, notification);
      const body = {
        content: truncate(text(config.content), maxContentLength),
        embeds: [
          {
            title: truncate(text(config.title), maxTitleLength),
            description: truncate(text(config.message), maxDescriptionLength),
            color: notification.status === 'firing' ? red : green,
          },
        ],
        ...withoutEmpty({ username: config.username, avatar_url: config.avatar_url }),
      };
      const request = {
        url: await secretOf(config.webhook_url, config.webhook_url_file),
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      };
      await client.send(request, { timeoutMs: config.timeout, stop });
    },
  };
}
