/**
 * Digits of floats as Go rounds them: a value right between two goes to the even one, where JavaScript takes the larger. More digits than
 * these show whether it is right between, for a double differs from such a value in fewer.
 */
const furtherDigits = 30;
const mostDigits = 100;

/** As `toFixed`, for what is not negative. */
export function toFixedEven(size: number, digits: number): string {
  const exact = size.toFixed(Math.min(mostDigits, digits + furtherDigits));
  const cut = exact.slice(0, exact.indexOf('.') + 1 + digits);
  return roundTie(cut, exact.slice(cut.length)) ?? size.toFixed(digits);
}

/** As `toExponential`, for what is not negative. */
export function toExponentialEven(size: number, digits: number): string {
  if (!Number.isFinite(size)) return String(size);
  const [exact = '', exponent = ''] = size
    .toExponential(Math.min(mostDigits, digits + furtherDigits))
    .split('e');
  const cut = exact.slice(0, 2 + digits);
  const even = roundTie(cut, exact.slice(cut.length));
  return even === null ? size.toExponential(digits) : `${even}e${exponent}`;
}

/** `cut` where what follows is exactly a half and its last digit is even; null where rounding is not in doubt. */
function roundTie(cut: string, rest: string): string | null {
  const whole = cut.replace(/\.$/, '');
  return /^50*$/.test(rest) && /[02468]$/.test(whole) ? whole : null;
}
