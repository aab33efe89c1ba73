/** A page of its own, without scripts: the figures, and for each queue how long its callers waited. */
import { percent, seconds } from './figure-text';
import { countUpTo } from './figures';
import type { Estimate } from './figures';
import type { Plan } from './plan';
import type { Comparison, PlanReport } from './replicate';

/** Blue, amber, magenta, and further ones that can be told apart without red and green. */
const COLORS = ['#2563a8', '#b86e00', '#a0268f', '#4a4a4a', '#0f7c86'];
const WIDTH = 640;
const HEIGHT = 260;
const LEFT = 48;
const BOTTOM = 36;

export function reportPage(plans: readonly Plan[], base: PlanReport, comparisons: readonly Comparison[]): string {
  const reports = [base, ...comparisons.map((comparison) => comparison.variant)];
  const queues = [...new Set(reports.flatMap((report) => [...report.queues.keys()]))];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escape(base.name)}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1b1b1b; background: #fff; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .8rem .2rem 0; text-align: right; border-bottom: 1px solid #d0d0d0; }
th:first-child, td:first-child { text-align: left; }
figure { margin: 1.5rem 0; }
</style>
</head>
<body>
<h1>${escape(base.name)}</h1>
<p>${reports.map((report, i) => summary(report, plans[i])).join('<br>')}</p>
${queues.map((queue) => section(queue, reports, comparisons)).join('\n')}
<p>Each figure is a mean over independent runs with half of its 95 % confidence interval. Differences compare runs with the same callers.</p>
</body>
</html>
`;
}

function summary(report: PlanReport, plan: Plan | undefined): string {
  return `${escape(report.name)}: ${report.calls.toLocaleString('en-US')} calls in ${report.runs} runs, ${plan?.staff.length ?? 0} agents, occupancy ${interval(report.occupancy, percent)}`;
}

function section(queue: string, reports: readonly PlanReport[], comparisons: readonly Comparison[]): string {
  const rows = reports.flatMap((report) => {
    const figures = report.queues.get(queue);
    return figures ? [{ name: report.name, figures }] : [];
  });
  const changes = comparisons.flatMap(({ variant, queues }) => {
    const figures = queues.get(queue);
    return figures ? [{ name: `${variant.name}: difference`, figures }] : [];
  });
  const cells = [...rows, ...changes].map(
    ({ name, figures }) =>
      `<tr><td>${escape(name)}</td>${[
        interval(figures.serviceLevel, percent),
        interval(figures.asaMs, seconds),
        interval(figures.abandoned, percent),
        interval(figures.waitP80Ms, seconds),
        interval(figures.waitP95Ms, seconds),
      ]
        .map((text) => `<td>${text}</td>`)
        .join('')}</tr>`,
  );
  return `<h2>${escape(queue)}</h2>
<table>
<thead><tr><th></th><th>in time</th><th>ASA</th><th>gave up</th><th>80th percentile</th><th>95th percentile</th></tr></thead>
<tbody>${cells.join('')}</tbody>
</table>
${plot(queue, reports)}`;
}

/** How many of those answered had waited at most so long. */
function plot(queue: string, reports: readonly PlanReport[]): string {
  const curves = reports.map((report) => report.waits.get(queue) ?? new Float64Array(0));
  const longest = Math.max(1000, ...curves.map((waits) => waits[Math.floor(0.99 * (waits.length - 1))] ?? 0));
  const x = (ms: number): number => LEFT + (ms / longest) * (WIDTH - LEFT - 12);
  const y = (share: number): number => 12 + (1 - share) * (HEIGHT - BOTTOM - 12);
  const paths = curves.map((waits, i) => {
    const points = Array.from({ length: 121 }, (_, step) => {
      const at = (longest * step) / 120;
      return `${x(at).toFixed(1)},${y(shareUpTo(waits, at)).toFixed(1)}`;
    });
    const color = COLORS[i % COLORS.length] ?? '';
    const dash = i < COLORS.length ? '' : ' stroke-dasharray="6 4"';
    return `<polyline fill="none" stroke="${color}" stroke-width="2"${dash} points="${points.join(' ')}"/>`;
  });
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<line x1="${LEFT}" x2="${WIDTH - 12}" y1="${y(share)}" y2="${y(share)}" stroke="#d0d0d0"/><text x="${LEFT - 6}" y="${y(share) + 4}" text-anchor="end">${100 * share} %</text>`,
  );
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (part) =>
      `<text x="${x(part * longest)}" y="${HEIGHT - 14}" text-anchor="middle">${seconds(part * longest)}</text>`,
  );
  const legend = reports
    .map((report, i) => `<span style="color:${COLORS[i % COLORS.length] ?? ''}">■</span> ${escape(report.name)}`)
    .join('&emsp;');
  return `<figure>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" role="img" aria-label="Share of answered callers by how long they waited" font-size="12">
${grid.join('')}${ticks.join('')}${paths.join('')}
</svg>
<figcaption>Share of answered callers who had waited at most so long. ${legend}</figcaption>
</figure>`;
}

function shareUpTo(sorted: Float64Array, limit: number): number {
  return sorted.length === 0 ? 0 : countUpTo(sorted, limit) / sorted.length;
}

function interval({ mean, halfWidth }: Estimate, show: (value: number) => string): string {
  return Number.isFinite(halfWidth) ? `${show(mean)} ± ${show(halfWidth)}` : show(mean);
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);
}
