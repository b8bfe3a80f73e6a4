import type { Report } from './types.ts';

/** The report as it is published: snake_case keys, units in names. */
export function reportJson({ network, threads, rounds, machine, rows }: Report): unknown {
  return {
    network: {
      frames: network.frames,
      height: network.height,
      width: network.width,
      width_multiplier: network.widthMultiplier,
      classes: network.classes,
    },
    threads,
    rounds,
    machine,
    networks: rows.map((row) => ({
      name: row.variant,
      ...(row.sgs && { sgs_after: row.sgs.after, kept_steps: row.keptSteps }),
      parameters: row.parameters,
      multiply_adds: row.multiplyAdds,
      ms: row.ms,
      ms_from: row.msFrom,
      ms_to: row.msTo,
      peak_mib: row.peakMiB,
      ...(row.stages && {
        stages: row.stages.map(({ stage, ms, multiplyAdds }) => ({ stage, ms, multiply_adds: multiplyAdds })),
      }),
    })),
  };
}
