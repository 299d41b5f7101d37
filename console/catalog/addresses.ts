/** What the console asks when traces of the catalog were chosen. */

/** Returns addresses, one a line: those of the picked traces or, if none are picked, of all that the filter selects. */
export function chosenTraces(picked: readonly string[], where: string): string {
  if (picked.length > 0) return picked.map(addressOf).join('\n');
  // In a line of its own; blanks within texts of the expression count.
  const expression = where.replace(/[\r\n]/g, ' ').trim();
  return expression === '' ? '/where/true' : `/where/${expression}`;
}

/** An address with characters of patterns would select others, too; blanks at its end, and a break of lines, get lost. */
function addressOf(address: string): string {
  if (!/[*?[\]{}\\\n\r]|\s$/.test(address)) return address;
  const text = address
    .replaceAll('\\', '\\\\')
    .replaceAll("'", "\\'")
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
  return `/where/address = '${text}'`;
}
