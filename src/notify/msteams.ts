import type { Notification } from '../incident/index.ts';
import type { MsteamsConfig, Msteamsv2Config } from './config-chat.ts';
import { HttpClient } from './http-client.ts';
import type { Integration, IntegrationContext } from './integration.ts';
import { pageOf, type Page } from './page.ts';
import { secretOf } from './secret-file.ts';

const json = { 'Content-Type': 'application/json' };

/** Message cards for Microsoft Teams, as Alertmanager 0.26 and later send them (notify/msteams/msteams.go). */
export function createMsteams(name: string, config: MsteamsConfig, context: IntegrationContext): Integration {
  return createTeams(name, config, context, ({ text }, { status }) => ({
    '@context': 'http://schema.org/extensions',
    '@type': 'MessageCard',
    type: 'MessageCard',
    title: text(config.title),
    summary: text(config.summary),
    text: text(config.text),
    themeColor: status === 'firing' ? '8C1A1A' : '2DC72D',
  }));
}

/** Adaptive cards for flows of Microsoft Teams, as Alertmanager 0.28 and later send them (notify/msteamsv2/msteamsv2.go). */
export function createMsteamsv2(
  name: string,
  config: Msteamsv2Config,
  context: IntegrationContext,
): Integration {
  return createTeams(name, config, context, ({ text }, { status }) =>
    adaptiveCard(text(config.title), text(config.text), status === 'firing' ? 'Attention' : 'Good'),
  );
}

function createTeams(
  name: string,
  config: MsteamsConfig | Msteamsv2Config,
  context: IntegrationContext,
  cardOf: (page: Page, notification: Notification) => Record<string, unknown>,
): Integration {
  const client = new HttpClient(config.http_config ?? context.globals.http_config);
  return {
    name,
    sendResolved: config.send_resolved,
    async send(id, notification, stop) {
      const body = JSON.stringify(cardOf(pageOf(context, id, notification), notification));
      const url = await secretOf(config.webhook_url, config.webhook_url_file);
      await client.send({ url, headers: json, body }, { timeoutMs: config.timeout, stop });
    },
  };
}

/** https://learn.microsoft.com/en-us/connectors/teams/#adaptivecarditemschema */
function adaptiveCard(title: string, text: string, color: 'Attention' | 'Good'): Record<string, unknown> {
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            {
              type: 'TextBlock',
              text: title,
              weight: 'Bolder',
              size: 'Medium',
              wrap: true,
              style: 'heading',
              color,
            },
            { type: 'TextBlock', text, wrap: true },
          ],
          msteams: { width: 'full' },
        },
      },
    ],
  };
}
