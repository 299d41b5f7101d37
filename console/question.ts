/** The fields of the last query, which the browser keeps. */

const STORAGE_KEY = 'bigtrace-question';

export interface Question {
  sql: string;
  /** One address a line. */
  traces: string;
  where: string;
  limit: string;
  onFailure: string;
}

/** Keeps these fields; the others stay as they were. */
export function saveQuestion(fields: Partial<Question>): void {
  localStorage.setItem(STORAGE_KEY, JSON.stringify({ ...savedQuestion(), ...fields }));
}

export function savedQuestion(): Partial<Question> {
  try {
    return JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}') as Partial<Question>;
  } catch {
    return {}; // not valid JSON
  }
}
