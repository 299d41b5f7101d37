export function viewsFormat(): 'Native' | 'CustomSeparated';
