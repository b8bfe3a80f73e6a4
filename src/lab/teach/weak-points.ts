import { groupBy } from '../../core/group-by.ts';
import { BACKGROUND, type Outcome, type TaughtLabel } from './teach-labels.ts';
import type { LabelFigures } from './types.ts';

/** Groups below which a figure says little of other cameras. */
const FEW_GROUPS = 5;
/** Share of a label's clips from which one group stands for it. */
const MOST_OF_ONE = 0.5;
/** Share of clips with a counterpart of their own group below which the place can act as the label. */
const PAIRED = 0.5;

/** What to doubt of the labels, one sentence each. */
export function weakPoints(
  taught: readonly TaughtLabel[],
  figures: Readonly<Record<string, LabelFigures>>,
): readonly string[] {
  return taught
    .filter(({ label }) => label !== BACKGROUND)
    .flatMap((one) => [...ofGroups(one), ...ofPlace(one), ...ofFigures(one, figures[one.label])]);
}

function ofGroups({ label, outcomes }: TaughtLabel): readonly string[] {
  const positives = outcomes.filter(({ positive }) => positive);
  const groups = [...groupBy(positives, ({ example }) => example.group)];
  const [largest] = groups.toSorted(([, a], [, b]) => b.length - a.length);
  if (!largest) return [];
  const [name, members] = [nameOf(largest[0]), largest[1]];
  if (groups.length === 1) {
    return [
      `${label}: only the group ${name} shows it, so nothing says how it does on other cameras; add clips of others`,
    ];
  }
  const share = members.length / positives.length;
  return [
    ...(groups.length < FEW_GROUPS
      ? [`${label}: clips of ${groups.length} groups show it; so few say little of other cameras`]
      : []),
    ...(share >= MOST_OF_ONE
      ? [`${label}: the group ${name} alone has ${Math.round(100 * share)} % of the clips that show it`]
      : []),
  ];
}

/** Where clips with and without a label hardly ever share a group, the head can learn the place. */
function ofPlace({ label, outcomes }: TaughtLabel): readonly string[] {
  const groups = [...groupBy(outcomes, ({ example }) => example.group).values()].map(kindsOf);
  const all = kindsOf(outcomes);
  const rarer = Math.min(all.positive, all.negative);
  const paired = groups.reduce((sum, { positive, negative }) => sum + Math.min(positive, negative), 0);
  if (paired >= PAIRED * rarer) return [];
  return [
    `${label}: of ${rarer} clips only ${paired} have a counterpart of the other kind in their group: the place may act as the label`,
  ];
}

function kindsOf(outcomes: readonly Outcome[]): { readonly positive: number; readonly negative: number } {
  const positive = outcomes.filter((one) => one.positive).length;
  return { positive, negative: outcomes.length - positive };
}

function ofFigures({ label }: TaughtLabel, figures: LabelFigures | undefined): readonly string[] {
  if (figures?.auc === undefined)
    return [`${label}: cross-validation cannot measure it, and its threshold is a guess`];
  const [low] = figures.auc_interval ?? [];
  if (low === undefined || low > 0.5) return [];
  return [`${label}: its AUC of ${figures.auc} may be chance (95 % from ${low}); it needs more clips`];
}

/** As the manifest names it. */
function nameOf(group: string): string {
  const [, name = group] = JSON.parse(group) as readonly string[];
  return name;
}
