interface Report {
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: object[];
  }[];
}
interface FirstReport extends Report {
  unhandledErrors: (string | null)[];
}
export function filesToRepeat(report: FirstReport): string[];
export function mergedReport(first: Report, second: Report): Report;
