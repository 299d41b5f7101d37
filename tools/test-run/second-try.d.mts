interface Report {
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: object[];
  }[];
}
export function mergedReport(first: Report, second: Report): Report;
