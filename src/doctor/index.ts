/** The checks of `sidekick doctor` in their order: what is below comes first, so that the first failure is the one to mend. */
import { runChecks } from './check';
import type { CheckReport } from './check';
import * as graph from './checks/graph';
import * as installation from './checks/installation';
import * as servers from './checks/servers';
import * as trunks from './checks/trunks';
import { Bench } from './ports';
import type { DoctorPorts } from './ports';

export type { CheckReport, CheckResult, CheckVerdict } from './check';
export type { DoctorPorts } from './ports';
export { realPorts } from './real-ports';

export const CHECKS = [
  installation.settingsCheck,
  installation.databaseCheck,
  installation.versionCheck,
  installation.latencyCheck,
  installation.clockCheck,
  installation.migrationsCheck,
  installation.secretsCheck,
  servers.drachtioCheck,
  servers.freeswitchCheck,
  servers.codecsCheck,
  servers.sessionsCheck,
  trunks.certificateCheck,
  trunks.proxiesCheck,
  trunks.carriersCheck,
  graph.graphTokenCheck,
  graph.graphPermissionsCheck,
  graph.presenceCheck,
  servers.recordingsCheck,
];

/** Runs every check; `told` gets each report as soon as it is there. Works with the nodes down. */
export async function runDoctor(
  ports: DoctorPorts,
  told: (report: CheckReport) => void = () => undefined,
): Promise<readonly CheckReport[]> {
  const bench = new Bench(ports);
  try {
    return await runChecks(CHECKS, bench, told);
  } finally {
    await bench.close();
  }
}
