/**
 * The SQL box: CodeMirror in a shadow root. There its style sheets are adopted, which the content security policy
 * allows without inline styles.
 */
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  closeCompletion,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { sql } from '@codemirror/lang-sql';
import { bracketMatching } from '@codemirror/language';
import { type Diagnostic, lintGutter, setDiagnostics } from '@codemirror/lint';
import { Compartment, Prec } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import type { Vocabulary } from '../../http-api/contract/console.ts';
import { completionOf } from './completion.ts';
import { PERFETTO_SQL } from './dialect.ts';
import { errorPlace } from './error-place.ts';
import { LOOK } from './look.ts';

export class SqlEditor {
  readonly #host: HTMLElement;
  readonly #view: EditorView;
  /** What completes the names of the engine. */
  readonly #names = new Compartment();

  /** @param run called for Ctrl+Enter */
  constructor(host: HTMLElement, label: string, run: () => void) {
    this.#host = host;
    const root = host.attachShadow({ mode: 'open', delegatesFocus: true });
    const runKey = {
      key: 'Mod-Enter',
      run: () => {
        closeCompletion(this.#view);
        run();
        return true;
      },
    };
    this.#view = new EditorView({
      parent: root,
      root,
      extensions: [
        ...[lineNumbers(), lintGutter(), history(), drawSelection(), highlightSpecialChars()],
        ...[
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          sql({ dialect: PERFETTO_SQL, upperCaseKeywords: true }),
          LOOK,
        ],
        Prec.highest(keymap.of([runKey])),
        keymap.of([
          ...closeBracketsKeymap,
          ...completionKeymap,
          ...defaultKeymap,
          ...historyKeymap,
        ]),
        this.#names.of([]),
        EditorView.lineWrapping,
        EditorView.domEventHandlers({ beforeinput: typeOverSelection }),
        EditorView.contentAttributes.of({ 'aria-label': label, autocapitalize: 'off' }),
      ],
    });
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  set text(text: string) {
    const { length } = this.#view.state.doc;
    this.#view.dispatch({ changes: { from: 0, to: length, insert: text } });
    this.showError('');
  }

  /** Completes these names from now on. */
  useVocabulary(vocabulary: Vocabulary): void {
    const autocomplete = completionOf(vocabulary);
    const data = PERFETTO_SQL.language.data.of({ autocomplete });
    this.#view.dispatch({ effects: this.#names.reconfigure(data) });
  }

  focus(): void {
    this.#view.focus();
  }

  /** Whether the event began in the editor. */
  contains(event: Event): boolean {
    return event.composedPath().includes(this.#host);
  }

  /** Marks the place that the error names; an empty text removes the mark. */
  showError(error: string): void {
    const place = errorPlace(this.text, error);
    const marks: Diagnostic[] = place === undefined ? [] : [{ ...place, severity: 'error' }];
    this.#view.dispatch(setDiagnostics(this.#view.state, marks));
  }
}

/**
 * Replaces the selection with what is typed. Chromium would give the text an inline style, which the content security
 * policy forbids and reports.
 */
function typeOverSelection(event: InputEvent, view: EditorView): boolean {
  const { data, inputType } = event;
  const { from, to, empty } = view.state.selection.main;
  if (inputType !== 'insertText' || data === null || empty || view.composing) return false;
  const insert = () =>
    view.state.update(view.state.replaceSelection(data), {
      ...{ userEvent: 'input.type', scrollIntoView: true },
    });
  const handlers = view.state.facet(EditorView.inputHandler);
  if (!handlers.some((handle) => handle(view, from, to, data, insert))) view.dispatch(insert());
  event.preventDefault();
  return true;
}
