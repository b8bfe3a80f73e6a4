import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lowestAgreement, windowSize } from '../../../src/pipeline/audit/agreement-window.ts';
import { createAuditController, type AuditController } from '../../../src/pipeline/audit/audit-controller.ts';
import { isChosen } from '../../../src/pipeline/audit/is-chosen.ts';
import { ladderOf } from '../../../src/pipeline/audit/ladder.ts';

const LABELS = 13;
const FLOOR = 0.98;
const RUNGS = 5;
const DENSE = RUNGS - 1;

function controller(labels = LABELS): AuditController {
  return createAuditController({ share: 0.01, agreement: FLOOR }, { rungs: RUNGS, decisions: labels });
}

/** Numbers in [0, 1), the same in every run. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Clips in which each label of each rung differs with the rung's chance. */
function feed(
  audit: AuditController,
  { clips, chances, random }: { clips: number; chances: readonly number[]; random: () => number },
): void {
  for (let clip = 0; clip < clips; clip += 1) {
    const shares = chances.map((chance) => {
      const wrong = Array.from({ length: LABELS }, () => random()).filter((x) => x < chance).length;
      return 1 - wrong / LABELS;
    });
    audit.observe({ block: `${random()}`, shares });
  }
}

describe('audit controller', () => {
  it('believes the configured δ before any clip was audited', () => {
    expect(controller().read()).toEqual({ rung: 0, share: 0.1 });
  });

  it('never keeps a rung whose bound is under the floor once its window is full, and never rises to one', () => {
    const share = fc.integer({ min: 0, max: LABELS }).map((same) => same / LABELS);
    const clips = fc.array(fc.tuple(fc.nat(40), fc.array(share, { minLength: DENSE, maxLength: DENSE })), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(clips, (audited) => {
        const audit = controller();
        audited.forEach(([change, shares], clip) => {
          const before = audit.read().rung;
          // Long runs of alike clips, so that δ rises as well.
          const same = change < 39 ? Array<number>(DENSE).fill(1) : shares;
          audit.observe({ block: String(clip), shares: same });
          const { rung, agreementLow = 0 } = audit.read();
          if (clip >= windowSize(FLOOR, LABELS) || rung < before)
            expect(agreementLow).toBeGreaterThanOrEqual(FLOOR);
          if (rung < before) expect(rung).toBe(before - 1);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('lowers no δ that agrees well above the floor, in 20 runs of 1,000 audited clips', () => {
    const lowered = Array.from({ length: 20 }, (_, seed) => {
      const audit = controller();
      const random = randomOf(seed);
      let ever = false;
      for (let part = 0; part < 100; part += 1) {
        feed(audit, { clips: 10, chances: Array<number>(DENSE).fill(0.002), random });
        ever ||= audit.read().rung > 0;
      }
      return ever;
    });
    expect(lowered.filter((ever) => ever).length).toBeLessThanOrEqual(1);
  });

  it('is down within 25 audited clips of a change, to a δ that serves, and up again when that is over', () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const audit = controller();
      const random = randomOf(seed);
      feed(audit, { clips: 300, chances: [0, 0, 0, 0], random });
      expect(audit.read()).toMatchObject({ rung: 0, agreement: 1, share: 0.01 });

      feed(audit, { clips: 25, chances: [0.1, 0.1, 0, 0], random });
      expect(audit.read()).toMatchObject({ rung: 2, agreement: 1, share: 0.1 });

      feed(audit, { clips: 4 * windowSize(FLOOR, LABELS), chances: [0, 0, 0, 0], random });
      expect(audit.read()).toMatchObject({ rung: 0, agreement: 1, share: 0.01 });
    }
  });

  it('comes to the dense network where no δ serves, agrees there, and stays as long as the others do not', () => {
    const audit = controller();
    const random = randomOf(1);
    feed(audit, { clips: 200, chances: [0.1, 0.1, 0.1, 0.1], random });
    expect(audit.read()).toEqual({ rung: DENSE, agreement: 1, agreementLow: 1, share: 0.01 });
    feed(audit, { clips: 500, chances: [0.1, 0.1, 0.1, 0.1], random });
    expect(audit.read().rung).toBe(DENSE);
  });

  it('counts clips of one block as one', () => {
    const audit = controller();
    for (let clip = 0; clip < 200; clip += 1)
      audit.observe({ block: 'the same', shares: Array<number>(DENSE).fill(1 - 1 / LABELS) });
    expect(audit.read()).toMatchObject({ rung: 0 });
    expect(audit.read().agreement).toBeCloseTo(1 - 1 / LABELS, 12);
  });
});

describe('lower bound of agreement', () => {
  it('is at most the mean, rises with evidence and covers the true mean', () => {
    expect(lowestAgreement([], 2)).toBeLessThan(0.5);
    expect(lowestAgreement(Array<number>(50).fill(1), 2)).toBeLessThan(
      lowestAgreement(Array<number>(500).fill(1), 2),
    );
    let covered = 0;
    for (let seed = 0; seed < 400; seed += 1) {
      const random = randomOf(seed * 7919);
      const shares = Array.from({ length: 100 }, () => {
        // All labels of a tenth of the clips fail together, half of the time.
        const together = random() < 0.1 && random() < 0.5;
        const wrong = Array.from({ length: LABELS }, () => random()).filter((x) => x < 0.01).length;
        return together ? 0 : 1 - wrong / LABELS;
      });
      if (lowestAgreement(shares, LABELS) <= 0.95 * 0.99) covered += 1;
    }
    expect(covered / 400).toBeGreaterThan(0.95);
  });

  it('asks for more blocks the less the floor allows, and the fewer labels a clip has', () => {
    expect(windowSize(0.98, 13)).toBeLessThan(windowSize(0.99, 13));
    expect(windowSize(0.98, 13)).toBeLessThan(windowSize(0.98, 2));
  });
});

describe('ladder', () => {
  it('halves δ three times and ends dense', () => {
    const ordered = { kind: 'ordered', width: 1.6, distance: 'l2' } as const;
    expect(
      ladderOf(ordered).map(({ sampler }) => ('width' in sampler ? sampler.width : sampler.kind)),
    ).toEqual([1.6, 0.8, 0.4, 0.2, 'none']);
    expect(ladderOf({ kind: 'uniform', stride: 2 })).toHaveLength(2);
    expect(ladderOf({ kind: 'none' })).toEqual([{ sampler: { kind: 'none' }, deltaScale: 0 }]);
  });
});

describe('choice of clips', () => {
  it('takes its share, the same ones each time, spread evenly along a stream', () => {
    const ids = Array.from({ length: 20_000 }, (_, clip) => `hall/0/${clip * 6}`);
    const chosen = ids.map((id) => isChosen('hall', id, 0.05));
    expect(ids.map((id) => isChosen('hall', id, 0.05))).toEqual(chosen);
    for (let from = 0; from < ids.length; from += 4000) {
      const count = chosen.slice(from, from + 4000).filter((is) => is).length;
      expect(count).toBeGreaterThan(140);
      expect(count).toBeLessThan(260);
    }
    const more = ids.map((id) => isChosen('hall', id, 0.5));
    expect(chosen.every((is, clip) => !is || more[clip])).toBe(true);
    expect(ids.some((id) => isChosen('hall', id, 0))).toBe(false);
    expect(ids.every((id) => isChosen('hall', id, 1))).toBe(true);
  });
});
