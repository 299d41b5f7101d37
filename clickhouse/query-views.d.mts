export const QUERY_VIEWS: [name: string, sql: string][];
