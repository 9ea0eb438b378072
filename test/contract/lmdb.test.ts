import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLmdbLog } from '../../src/log/index.ts';
import { openLmdbStore } from '../../src/store/index.ts';
import { logContract } from './log.contract.ts';
import { storeContract } from './store.contract.ts';

async function temporaryFolder(): Promise<{ path: string; clean: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'tocsin-contract-'));
  return { path, clean: () => rm(path, { recursive: true, force: true }) };
}

logContract('LMDB', async () => {
  const { path, clean } = await temporaryFolder();
  return { open: async () => openLmdbLog(path), clean };
});

storeContract('LMDB', async (nowMs) => {
  const { path, clean } = await temporaryFolder();
  return { open: async () => openLmdbStore(path, { nowMs }), clean };
});
