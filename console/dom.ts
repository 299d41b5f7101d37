/** Creates elements without parsing HTML, so that content of traces is always text. */

type Attributes = Record<string, string | number | boolean | undefined>;

/** `true` sets an attribute without a value; `false` and undefined omit it. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const created = document.createElement(tag);
  setAttributes(created, attributes);
  created.append(...children);
  return created;
}

const SVG = 'http://www.w3.org/2000/svg';

export function svg(
  tag: string,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): SVGElement {
  const created = document.createElementNS(SVG, tag) as SVGElement;
  setAttributes(created, attributes);
  created.append(...children);
  return created;
}

function setAttributes(target: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) target.removeAttribute(name);
    else target.setAttribute(name, value === true ? '' : String(value));
  }
}

/** A button that ignores clicks while its action runs. It is never disabled, because it would lose the focus. */
export function button(
  text: string,
  name: string,
  press: () => Promise<void> | void,
): HTMLButtonElement {
  const created = element('button', { type: 'button', 'aria-label': name }, text);
  let busy = false;
  created.addEventListener('click', async () => {
    if (busy) return;
    busy = true;
    await press();
    busy = false;
  });
  return created;
}

/** Finds an element of the static page. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const target = document.getElementById(id);
  if (target instanceof kind) return target;
  throw new Error(`the page has no ${kind.name} #${id}`);
}

/** Changes the text only if it differs, so that selection and focus are preserved. */
export function setText(target: Node, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

export interface Card<Item> {
  root: HTMLElement;
  update(item: Item): void;
}

/** A list that is updated repeatedly. An item keeps its element, and with it the focus. */
export class CardList<Item> {
  readonly #list: HTMLElement;
  readonly #none: HTMLElement;
  readonly #keyOf: (item: Item) => string;
  readonly #make: (item: Item) => Card<Item>;
  readonly #cards = new Map<string, Card<Item>>();

  constructor(id: string, keyOf: (item: Item) => string, make: (item: Item) => Card<Item>) {
    this.#list = byId(id, HTMLUListElement);
    this.#none = byId(`${id}-none`, HTMLParagraphElement);
    this.#keyOf = keyOf;
    this.#make = make;
  }

  show(items: readonly Item[]): void {
    this.#none.hidden = items.length > 0;
    const gone = new Set(this.#cards.keys());
    items.forEach((item, at) => {
      const key = this.#keyOf(item);
      gone.delete(key);
      const card = this.#cards.get(key) ?? this.#make(item);
      this.#cards.set(key, card);
      card.update(item);
      const there = this.#list.children[at];
      if (there !== card.root) this.#list.insertBefore(card.root, there ?? null);
    });
    for (const key of gone) {
      this.#cards.get(key)?.root.remove();
      this.#cards.delete(key);
    }
  }
}

/** A link that opens in another tab. */
export function linkTo(url: string, text: string): HTMLAnchorElement {
  return element('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, text);
}
