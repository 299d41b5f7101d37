/** Shows which definitions of earlier scripts ran before the last one, with a button to forget them. */
import type { WireExecution } from '../../http-api/contract/page.ts';
import { api } from '../api.ts';
import { button, byId, element, setText } from '../dom.ts';
import { counted } from '../format.ts';

export class Session {
  readonly #root = byId('session', HTMLDetailsElement);
  readonly #summary = element('summary');
  readonly #prelude = element('pre');

  constructor(failed: (error: unknown) => void) {
    const forget = button('Forget them', 'Forget the definitions of earlier scripts', () =>
      api
        .resetSession()
        .then(() => this.show({ prelude: '' }))
        .catch(failed),
    );
    this.#root.append(this.#summary, this.#prelude, forget);
  }

  show({ prelude = '' }: Pick<WireExecution, 'prelude'>): void {
    const count = prelude.split(';\n').length - 1;
    setText(this.#summary, `${counted(count, 'definition')} of your earlier scripts ran first`);
    setText(this.#prelude, prelude.trimEnd());
    this.#root.hidden = prelude === '';
  }
}
