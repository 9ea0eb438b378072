import type { IncomingMessage, RequestListener } from 'node:http';
import { finished } from 'node:stream';
import { TocsinError } from '../engine/index.ts';

/**
 * Answers for a process that is ending: it is alive, it is not ready, and whatever else is asked is refused with 503 and TOC_STOPPING, so
 * that who asks turns to another process. Bodies are read to their end, because a sender that is cut off sees no answer.
 */
export function refuseRequests(routePrefix: string): RequestListener {
  const { code, message } = new TocsinError('TOC_STOPPING', 'this process is ending');
  return (request, response) => {
    request.resume();
    finished(request, { writable: false }, (error) => {
      if (error) return;
      response.setHeader('connection', 'close');
      if (pathOf(request) === `${routePrefix}/-/healthy`) {
        response.end('OK');
        return;
      }
      response.writeHead(503, { 'retry-after': '1', 'content-type': 'text/plain; charset=utf-8' });
      response.end(`${code}: ${message}`);
    });
  };
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0]!;
}
