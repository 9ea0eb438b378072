import type { SeenFunnel } from './responder.ts';

/** The funnel in one line: `40,302 alerts → 366 signals → 12 incidents → 9 pages`. */
export function formatFunnel({ alerts, signals, incidents, pages, resolvedPages }: SeenFunnel): string {
  const number = (count: number): string => count.toLocaleString('en');
  return `${number(alerts)} alerts → ${number(signals)} signals → ${number(incidents)} incidents → ${number(pages)} pages (and ${number(resolvedPages)} all-clears)`;
}
