export function viewsFormat(): 'Native' | 'TSV';
