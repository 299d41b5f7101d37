export interface Description {
  name: string;
  signature: string;
  purpose: string;
  /** Empty for objects that are not for users. */
  example: string;
  /** Page of the documentation, relative to the repository. */
  page: string;
}

export const DESCRIPTIONS: Description[];

/** The same for a ClickHouse with the resident bridge. */
export const RESIDENT_DESCRIPTIONS: Description[];

/** Comments of tables and views, by name. */
export const COMMENTS: Map<string, string>;

export function helpView(descriptions: Description[]): string;
