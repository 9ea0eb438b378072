import type { TelegramConfig } from './config-chat.ts';
import { HttpClient } from './http-client.ts';
import type { Integration, IntegrationContext } from './integration.ts';
import { pageOf, truncate, withoutEmpty } from './page.ts';
import { ownOrGlobal } from './secret-file.ts';

/** https://core.telegram.org/bots/api#sendmessage */
const maxMessageLength = 4096;

/** A message by a Telegram bot, as Alertmanager sends it (notify/telegram/telegram.go). Values in HTML messages are escaped. */
export function createTelegram(
  name: string,
  config: TelegramConfig,
  context: IntegrationContext,
): Integration {
  const { globals } = context;
  const client = new HttpClient(config.http_config ?? globals.http_config);
  const readToken = ownOrGlobal(
    { value: config.bot_token, file: config.bot_token_file },
    { value: globals.telegram_bot_token, file: globals.telegram_bot_token_file },
    { what: 'bot_token', globalKey: 'telegram_bot_token' },
  );
  const api = (config.api_url ?? globals.telegram_api_url).replace(/\/$/, '');
  return {
    name,
    sendResolved: config.send_resolved,
    async send(id, notification, stop) {
      const page = pageOf(context, id, notification);
      const message = config.parse_mode === 'HTML' ? page.html(config.message) : page.text(config.message);
      const body = withoutEmpty({
        chat_id: String(config.chat_id),
        message_thread_id: config.message_thread_id === undefined ? '' : String(config.message_thread_id),
        text: truncate(message, maxMessageLength),
        parse_mode: config.parse_mode,
        disable_notification: config.disable_notifications ? 'true' : '',
        disable_web_page_preview: 'true',
      });
      const request = {
        url: `${api}/bot${await readToken()}/sendMessage`,
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      };
      await client.send(request, { timeoutMs: config.timeout, stop });
    },
  };
}
