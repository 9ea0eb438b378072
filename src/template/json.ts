import { GoTime } from './time.ts';
import { GoList, GoMap, GoNamedInt, GoNilPointer, GoStruct, SafeText, type GoValue } from './value.ts';

/** The value as JSON, as Go's encoding/json writes it: keys sorted, `<`, `>` and `&` escaped. */
export function toJson(value: GoValue): string {
  return JSON.stringify(plain(value))
    .replaceAll('<', '\\u003c')
    .replaceAll('>', '\\u003e')
    .replaceAll('&', '\\u0026')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}

function plain(value: GoValue): unknown {
  if (value === null || value instanceof GoNilPointer) return null;
  if (value instanceof GoTime) return value.toRfc3339();
  if (value instanceof SafeText) return value.text;
  if (value instanceof GoNamedInt) return Number(value.value);
  if (value instanceof GoList) return value.items.map(plain);
  if (value instanceof GoMap)
    return Object.fromEntries([...value.entries].map(([key, item]) => [key, plain(item)]));
  if (value instanceof GoStruct)
    return Object.fromEntries([...value.fields].map(([name, field]) => [jsonName(name), plain(field)]));
  return typeof value === 'bigint' ? Number(value) : value;
}

/** Alertmanager's tags: `startsAt`, `generatorURL`, `externalURL`. A pair of labels has none. */
function jsonName(name: string): string {
  return name === 'Name' || name === 'Value' ? name : name.charAt(0).toLowerCase() + name.slice(1);
}
