/** Links to other pages. */
import { element } from './dom.ts';

export function linkTo(url: string, text: string): HTMLAnchorElement {
  return element('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, text);
}
