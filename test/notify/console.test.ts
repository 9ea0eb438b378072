import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { labelsOf } from '../../src/alert/index.ts';
import { renderPage } from '../../src/notify/index.ts';
import { plainText } from '../../src/alert/index.ts';
import { firing, incidentOf, notificationOf, nowMs, resolved } from './scene.ts';

const incidentPage = notificationOf({
  receiver: 'on-call',
  incident: incidentOf(),
  alerts: [
    firing(
      { alertname: 'DiskFull' },
      { annotations: labelsOf({ runbook_url: 'https://runbooks.example.net/disk' }) },
    ),
  ],
});

test('a page of an incident says how urgent, what, why and what next', () => {
  const page = renderPage('INC-1/1/on-call', incidentPage, {
    externalUrl: 'http://127.0.0.1:9093',
    isColored: false,
  });
  expect(page.split('\n')).toEqual([
    '',
    '▲ P1 09:15:02  INC-1  payments-db runs out of disk; checkout-api and 2 more fail',
    '   first notification; 212 alerts in 3 signals since 09:13:02',
    '   critical, capacity, confidence 0.91',
    '   affects  checkout-api, payments-db',
    '   cause    Disk 97 % full (72 %: the first signal)',
    '   why      checkout-api has tier 1',
    '            checkout-api calls payments-db',
    '   before   INC-0 "payments-db disk full" (similarity 0.88, over after 32m)',
    '   next     read https://runbooks.example.net/disk',
    '            tocsin explain INC-1',
    '            acknowledge: POST http://127.0.0.1:9093/api/v1/incidents/INC-1/acknowledge',
    '   page INC-1/1/on-call to on-call',
  ]);
});

test('what is not known is not mentioned', () => {
  const incident = incidentOf({
    services: [],
    probableCauses: [],
    reasons: [],
    similar: [],
    acknowledgedBy: 'ada',
    state: 'acknowledged',
  });
  const page = renderPage('id', notificationOf({ incident }), { externalUrl: 'http://x', isColored: false });
  expect(page.split('\n').slice(2)).toEqual([
    '   first notification; 212 alerts in 3 signals since 09:13:02',
    '   critical, capacity, confidence 0.91, acknowledged by ada',
    '   next     tocsin explain INC-1',
    '   page id to web',
  ]);
});

test('says so when the history could not be asked', () => {
  const page = renderPage(
    'id',
    notificationOf({ incident: incidentOf({ similar: [], historyMissing: true }) }),
    { isColored: false },
  );
  expect(page).toContain('before   the history could not be asked for similar incidents');
});

test('the end of an incident is short', () => {
  const incident = incidentOf({ state: 'resolved', openedAtMs: nowMs - 38 * 60_000 - 5000 });
  const page = renderPage('id', notificationOf({ incident, status: 'resolved' }), { isColored: false });
  expect(page.split('\n')).toEqual([
    '',
    '✓ 09:15:02  INC-1 is over after 38m: payments-db runs out of disk; checkout-api and 2 more fail',
    '   212 alerts in 3 signals',
    '   page id to web',
  ]);
});

test('a page of a group lists its first alerts', () => {
  const alerts = Array.from({ length: 7 }, (_, index) =>
    index === 1
      ? resolved({ alertname: `A${index}` })
      : firing(
          { alertname: `A${index}` },
          index === 0 ? { annotations: labelsOf({ summary: 'Disk full' }) } : {},
        ),
  );
  expect(renderPage('id', notificationOf({ alerts }), { isColored: false }).split('\n')).toEqual([
    '',
    '▲ 09:15:02  alertname=DiskFull',
    '   first notification; 6 firing, 1 resolved',
    '   - Disk full',
    '   - A1 (resolved)',
    '   - A2',
    '   - A3',
    '   - A4',
    '   - and 2 more',
    '   page id to web',
  ]);
});

describe('colours', () => {
  test('are only added around what is printed anyway', () => {
    const plain = renderPage('id', incidentPage, { isColored: false });
    const colored = renderPage('id', incidentPage, { isColored: true });
    expect(colored).not.toBe(plain);
    expect(stripVTControlCharacters(colored)).toBe(plain);
  });

  test('are left out where standard output is no terminal, as in this test', () => {
    expect(process.stdout.isTTY).not.toBe(true);
    expect(renderPage('id', incidentPage)).toBe(renderPage('id', incidentPage, { isColored: false }));
  });
});

describe('texts from outside', () => {
  test('cannot move the cursor, ring the bell, or begin a line', () => {
    const evil = '\u001b[2J\u0007\u009b31mred\r\nP1 all is well\u202e';
    const incident = incidentOf({
      title: evil,
      services: [evil],
      acknowledgedBy: evil,
      reasons: [{ stage: 'triage', code: 'x', text: evil }],
    });
    const lines = renderPage(evil, notificationOf({ incident, receiver: evil }), { isColored: false });
    // oxlint-disable-next-line no-control-regex -- what must not be there
    expect(lines).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(lines.split('\n').every((line) => line === '' || /^(▲|   )/.test(line))).toBe(true);
  });

  test('are cut where they are too long, and never within a character', () => {
    expect(plainText('a'.repeat(400))).toBe(`${'a'.repeat(299)}…`);
    expect(plainText('😀'.repeat(10), 4).isWellFormed()).toBe(true);
    expect(plainText('  two \t words \n')).toBe('two words');
  });
});
