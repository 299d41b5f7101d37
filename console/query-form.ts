/** The SQL box: edits and runs a query, and shows its progress. */
import type { Preset, WireExecution, WireStatus } from '../http-api/contract/page.ts';
import { api, type ExecuteRequest } from './api.ts';
import { byId, element, setText } from './dom.ts';
import { SqlEditor } from './editor/editor.ts';
import { costTexts, count, counted, duration, share } from './format.ts';
import { type Question, savedQuestion, saveQuestion } from './question.ts';

const POLL_MS = 700;

const FIRST: Question = {
  sql: `SELECT name, count(*) AS n, sum(dur) / 1e6 AS total_ms
FROM slice
GROUP BY name
ORDER BY total_ms DESC
LIMIT 20`,
  traces: '/local/**',
  where: '',
  limit: '100000',
  onFailure: 'lenient',
};

export interface QueryFormActions {
  /** Called when a query is started. */
  started(): void;
  ended(uuid: string | undefined): void;
  /** Called when there are new rows. */
  rows(uuid: string): Promise<void>;
  failed(error: unknown): void;
}

export class QueryForm {
  readonly #actions: QueryFormActions;
  readonly #sql: SqlEditor;
  readonly #traces = byId('traces', HTMLTextAreaElement);
  readonly #where = byId('where', HTMLInputElement);
  readonly #limit = byId('limit', HTMLInputElement);
  readonly #onFailure = byId('on-failure', HTMLSelectElement);
  readonly #preset = byId('preset', HTMLSelectElement);
  readonly #run = byId('run', HTMLButtonElement);
  readonly #stop = byId('stop', HTMLButtonElement);
  readonly #bar = byId('progress', HTMLProgressElement);
  readonly #status = byId('status', HTMLOutputElement);
  /** The running query. */
  #uuid: string | undefined;

  constructor(actions: QueryFormActions) {
    this.#actions = actions;
    const form = byId('ask-form', HTMLFormElement);
    const box = byId('sql', HTMLDivElement);
    this.#sql = new SqlEditor(box, 'PerfettoSQL, run on every trace', () => form.requestSubmit());
    this.#fill({ ...FIRST, ...savedQuestion() });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit();
    });
    this.#stop.addEventListener('click', () => void this.#cancel());
    addEventListener('keydown', (event) => this.#key(event, form));
  }

  /** Loads the names that the editor completes. */
  async loadVocabulary(): Promise<void> {
    this.#sql.useVocabulary(await api.vocabulary());
  }

  async loadPresets(): Promise<void> {
    const { tracePresets } = await api.presets();
    this.#preset.replaceChildren(element('option', { value: '' }, 'choose one …'));
    const groups = Map.groupBy(tracePresets, ({ category }: Preset) => category);
    for (const [category, presets] of groups) {
      const options = presets.map(({ id, name, description }) =>
        element('option', { value: id, title: description }, name),
      );
      this.#preset.append(element('optgroup', { label: category }, ...options));
    }
    this.#preset.onchange = () => {
      const preset = tracePresets.find(({ id }) => id === this.#preset.value);
      if (preset !== undefined) this.#sql.text = preset.perfettoSql.trimEnd();
    };
  }

  /** Fills the form with an earlier query. */
  show({ perfettoSql, settings, limit }: WireExecution): void {
    const of = (id: string): string[] =>
      settings.find(({ settingId }) => settingId === id)?.values ?? [];
    this.#fill({
      sql: perfettoSql,
      traces: of('traces').join('\n') || FIRST.traces,
      where: of('where')[0] ?? '',
      limit: String(limit),
      onFailure: of('on_failure')[0] ?? FIRST.onFailure,
    });
  }

  #fill({ sql, traces, where, limit, onFailure }: Question): void {
    this.#sql.text = sql;
    this.#traces.value = traces;
    this.#where.value = where;
    this.#limit.value = limit;
    this.#onFailure.value = onFailure;
  }

  #request(): ExecuteRequest {
    const addresses = this.#traces.value.split('\n').filter((line) => line.trim() !== '');
    const setting = (setting_id: string, category: string, values: string[]) => ({
      ...{ setting_id, category, values },
    });
    return {
      perfetto_sql: this.#sql.text,
      limit: Number(this.#limit.value),
      settings: [
        setting('traces', 'TRACE_ADDRESS', addresses),
        setting('where', 'TRACE_METADATA', [this.#where.value]),
        setting('on_failure', 'BIGTRACE_QUERY_OPTIONS', [this.#onFailure.value]),
      ],
    };
  }

  async #submit(): Promise<void> {
    if (this.#uuid !== undefined) return;
    saveQuestion({
      sql: this.#sql.text,
      traces: this.#traces.value,
      where: this.#where.value,
      limit: this.#limit.value,
      onFailure: this.#onFailure.value,
    });
    this.#actions.started();
    this.#running(true);
    this.#showStatus('', 'begins …');
    this.#sql.showError('');
    try {
      const { queryUuid } = await api.execute(this.#request());
      this.#uuid = queryUuid;
      await this.#follow(queryUuid);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#showStatus('FAILED', text);
      this.#sql.showError(text);
    } finally {
      const uuid = this.#uuid;
      this.#uuid = undefined;
      this.#running(false);
      this.#actions.ended(uuid);
    }
  }

  /** Polls the status until the query has ended. */
  async #follow(uuid: string): Promise<void> {
    const startMs = performance.now();
    for (let rows = 0; ; ) {
      const now = await api.status(uuid);
      this.#progress(now, performance.now() - startMs);
      const ended = now.status !== 'IN_PROGRESS';
      if (now.processedRows > rows || (ended && now.status === 'SUCCESS')) {
        rows = now.processedRows;
        await this.#actions.rows(uuid);
      }
      if (ended) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  #progress(now: WireStatus, elapsedMs: number): void {
    const { status, processedTraces, totalTraces, processedRows, cost, errorMessage = '' } = now;
    if (totalTraces === 0) this.#bar.removeAttribute('value');
    else this.#bar.value = share(processedTraces, totalTraces);
    const facts = [
      ...(totalTraces === 0
        ? []
        : [`${count(processedTraces)} of ${counted(totalTraces, 'trace')}`]),
      counted(processedRows, 'row'),
      duration(elapsedMs),
      ...(cost === undefined ? [] : costTexts(cost)),
    ].join(' · ');
    const word = status.toLowerCase().replace('_', ' ');
    this.#showStatus(status, [`${word} · ${facts}`, errorMessage].filter(Boolean).join('\n'));
    if (status !== 'IN_PROGRESS') this.#sql.showError(errorMessage);
  }

  async #cancel(): Promise<void> {
    if (this.#uuid !== undefined) await api.cancel(this.#uuid).catch(this.#actions.failed);
  }

  #running(running: boolean): void {
    this.#run.setAttribute('aria-disabled', String(running));
    this.#stop.setAttribute('aria-disabled', String(!running));
    this.#bar.hidden = !running;
    if (running) this.#bar.removeAttribute('value');
  }

  #showStatus(status: string, text: string): void {
    this.#status.dataset['state'] = status;
    setText(this.#status, text);
  }

  #key(event: KeyboardEvent, form: HTMLFormElement): void {
    const { key, ctrlKey, metaKey, target, defaultPrevented } = event;
    if (defaultPrevented) return; // the editor had a use for it
    const typing =
      this.#sql.contains(event) ||
      (target instanceof HTMLElement && target.matches('input, textarea, select'));
    if (key === 'Enter' && (ctrlKey || metaKey)) form.requestSubmit();
    else if (key === 'Escape') void this.#cancel();
    else if (key === '/' && !typing) this.#sql.focus();
    else return;
    event.preventDefault();
  }
}
