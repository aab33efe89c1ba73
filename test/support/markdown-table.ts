/**
 * The data rows of the first markdown table whose first column is headed `firstColumn`; cells trimmed and without backticks,
 * so that a doc may format them as code.
 */
export function tableRows(markdown: string, firstColumn: string): string[][] {
  const lines = markdown.split('\n');
  const head = lines.findIndex((line) => cells(line)[0] === firstColumn);
  if (head < 0) {
    throw new Error(`no table headed "${firstColumn}"`);
  }
  const rows: string[][] = [];
  for (const line of lines.slice(head + 2)) {
    if (!line.startsWith('|')) {
      break;
    }
    rows.push(cells(line));
  }
  return rows;
}

function cells(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('`', ''));
}
