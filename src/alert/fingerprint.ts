import type { Labels } from './labels.ts';

/** The low word of the FNV prime 2^40 + 435; the 2^40 is two limbs and 8 bits. */
const prime = 435;
const separator = 0xff;

/** The 64-bit state as four 16-bit limbs, the lowest first: every product stays a 32-bit integer. */
let limb0 = 0;
let limb1 = 0;
let limb2 = 0;
let limb3 = 0;

/**
 * The exact identity of a label set: FNV-1a 64 over `name 0xFF value 0xFF` of the sorted labels in UTF-8, as 16 hex digits.
 * Equal to Alertmanager's fingerprint (prometheus/common, model/signature.go). Allocates nothing but its result.
 */
export function fingerprint(labels: Labels): string {
  limb0 = 0x2325;
  limb1 = 0x8422;
  limb2 = 0x9ce4;
  limb3 = 0xcbf2;
  for (let part = 0; part < labels.length; part++) {
    addText(labels[part]!);
    addByte(separator);
  }
  return (
    hexPairs[limb3 >> 8]! +
    hexPairs[limb3 & 0xff]! +
    hexPairs[limb2 >> 8]! +
    hexPairs[limb2 & 0xff]! +
    hexPairs[limb1 >> 8]! +
    hexPairs[limb1 & 0xff]! +
    hexPairs[limb0 >> 8]! +
    hexPairs[limb0 & 0xff]!
  );
}

function addText(text: string): void {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) addByte(unit);
    else if (unit < 0x800) {
      addByte(0xc0 | (unit >> 6));
      addByte(0x80 | (unit & 0x3f));
    } else {
      const point = text.codePointAt(i)!;
      if (point > 0xffff) {
        i++;
        addByte(0xf0 | (point >> 18));
        addByte(0x80 | ((point >> 12) & 0x3f));
      } else addByte(0xe0 | (point >> 12));
      addByte(0x80 | ((point >> 6) & 0x3f));
      addByte(0x80 | (point & 0x3f));
    }
  }
}

function addByte(byte: number): void {
  const low = limb0 ^ byte;
  const product0 = low * prime;
  const product1 = limb1 * prime + (product0 >>> 16);
  const product2 = limb2 * prime + (low << 8) + (product1 >>> 16);
  limb3 = (limb3 * prime + (limb1 << 8) + (product2 >>> 16)) & 0xffff;
  limb2 = product2 & 0xffff;
  limb1 = product1 & 0xffff;
  limb0 = product0 & 0xffff;
}

const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
