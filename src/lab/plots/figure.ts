/** What a figure shows, as data; draw-figure.ts turns it into SVG and render-png.ts that into PNG. */
export interface Figure {
  readonly title: string;
  /** Below the title: what was measured, on what. */
  readonly note?: string;
  readonly panels: readonly Panel[];
  /** Panels side by side; more go into further rows. Default: all in one row. */
  readonly columns?: number;
}

export type Panel = PointPanel | BarPanel | MatrixPanel;

/** Points over two quantities, with intervals where given. */
export interface PointPanel {
  readonly kind: 'points';
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly PointSeries[];
}

export interface Axis {
  readonly label: string;
  /** Ends of the axis; those of the data, rounded, where absent. */
  readonly from?: number;
  readonly to?: number;
}

/** The series of one name have one colour in all panels of a figure. */
export interface PointSeries {
  readonly name: string;
  readonly points: readonly Point[];
  /** Join the points in the order given. */
  readonly line: boolean;
}

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Ends of an interval on y. */
  readonly yFrom?: number;
  readonly yTo?: number;
}

/** Horizontal bars from zero: one row a category, in it one bar a series. */
export interface BarPanel {
  readonly kind: 'bars';
  readonly title: string;
  readonly x: Axis;
  readonly categories: readonly string[];
  readonly series: readonly BarSeries[];
  /** Bars of a category end to end instead of below one another. */
  readonly stacked?: boolean;
}

export interface BarSeries {
  readonly name: string;
  /** One a category. */
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly value: number;
  readonly from?: number;
  readonly to?: number;
}

/** Counts of pairs of labels: a row each, a column each, in the same order. */
export interface MatrixPanel {
  readonly kind: 'matrix';
  readonly title: string;
  readonly labels: readonly string[];
  /** What rows and what columns are. */
  readonly rows: string;
  readonly columns: string;
  /** [rows][columns] */
  readonly counts: readonly (readonly number[])[];
}
