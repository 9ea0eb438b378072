import type { VictoropsConfig } from './config-on-call.ts';
import { HttpClient } from './http-client.ts';
import type { Integration, IntegrationContext } from './integration.ts';
import { groupHash, pageOf, truncate } from './page.ts';
import { ownOrGlobal } from './secret-file.ts';

/** https://help.victorops.com/knowledge-base/incident-fields-glossary/ */
const maxMessageLength = 20_480;

const messageTypes = new Set(['INFO', 'WARNING', 'CRITICAL']);

/** The REST endpoint of VictorOps (Splunk On-Call), as Alertmanager speaks it (notify/victorops/victorops.go). */
export function createVictorops(
  name: string,
  config: VictoropsConfig,
  context: IntegrationContext,
): Integration {
  const { globals } = context;
  const client = new HttpClient(config.http_config ?? globals.http_config);
  const readKey = ownOrGlobal(
    { value: config.api_key, file: config.api_key_file },
    { value: globals.victorops_api_key, file: globals.victorops_api_key_file },
    { what: 'API key', globalKey: 'victorops_api_key' },
  );
  const api = (config.api_url ?? globals.victorops_api_url).replace(/\/?$/, '/');
  return {
    name,
    isIdempotent: true,
    sendResolved: config.send_resolved,
    async send(id, notification, stop) {
      const { text } = pageOf(context, id, notification);
      const messageType = text(config.message_type);
      const body = {
        message_type:
          notification.status === 'resolved'
            ? 'RECOVERY'
            : messageTypes.has(messageType)
              ? messageType
              : 'CRITICAL',
        entity_id: groupHash(notification),
        entity_display_name: text(config.entity_display_name),
        state_message: truncate(text(config.state_message), maxMessageLength),
        monitoring_tool: text(config.monitoring_tool),
        ...Object.fromEntries(
          Object.entries(config.custom_fields).map(([name, value]) => [name, text(value)]),
        ),
      };
      const path = `${await readKey()}/${text(config.routing_key)}`;
      const request = {
        url: `${api}${path.split('/').map(encodeURIComponent).join('/')}`,
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      };
      await client.send(request, { timeoutMs: config.timeout, stop });
    },
  };
}
