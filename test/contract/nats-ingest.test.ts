import { startNats } from '../support/nats.ts';
import { natsIngestContract } from './nats-ingest.contract.ts';

natsIngestContract('nats-server', async () => {
  const server = await startNats();
  return {
    config: { servers: [server.url] },
    connect: () => server.connect(),
    stop: () => server.stop(),
  };
});
