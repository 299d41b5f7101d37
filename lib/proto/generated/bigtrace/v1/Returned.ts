// Original file: bigtrace.proto


export interface ReturnedInput {
  'id'?: (number)[];
}

export interface Returned {
  'id': (number)[];
}
