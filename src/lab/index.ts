// The door of the laboratory. Commands load it when they run: `run` never does.
import { fileURLToPath } from 'node:url';
import type { AppContext } from '../app/context.ts';
import { openEngine } from '../app/open-engine.ts';
import type { SavingsReport } from '../app/savings.ts';
import { runBench } from './bench/run-bench.ts';
import type { BenchOutcome, BenchRequest } from './bench/types.ts';
import type { Agreement } from './evaluation/agreement.ts';
import { calibrate, type CalibrationResult } from './harness/calibrate.ts';
import { calibrationRequest, type CalibrationWish } from './harness/calibration-request.ts';
import { evaluate, type EvaluationContext } from './harness/evaluate.ts';
import { measureAgreement, type AgreementRequest } from './harness/measure-agreement.ts';
import type { EvaluationObserver, EvaluationReport, EvaluationRequest } from './harness/types.ts';
import { measureReport } from './models-report/measure-report.ts';
import type { Report, ReportRequest } from './models-report/types.ts';
import { writeFigure } from './plots/write-figure.ts';
import { savingsFigure } from './savings-figure.ts';
import { teach } from './teach/teach.ts';
import type { TeachObserver, TeachRecord, TeachRequest } from './teach/types.ts';

export { reportJson } from './models-report/report-json.ts';
export { readAccuracy, writePlots } from './models-report/services.ts';

/** `evaluate` */
export function evaluateModel(
  request: EvaluationRequest,
  observer: EvaluationObserver,
  context: AppContext,
): Promise<EvaluationReport> {
  return evaluate(request, observer, harnessOf(context));
}

/** `evaluate --agreement` */
export function agreementOfModel(
  request: AgreementRequest,
  observer: EvaluationObserver,
  context: AppContext,
): Promise<Agreement> {
  return measureAgreement(request, observer, harnessOf(context));
}

/** `calibrate` */
export function calibrateModel(
  wish: CalibrationWish,
  observer: EvaluationObserver,
  context: AppContext,
): Promise<CalibrationResult> {
  return calibrate(calibrationRequest(wish, context.env), observer, harnessOf(context));
}

/** `teach` */
export function teachModel(
  request: TeachRequest,
  observer: TeachObserver,
  context: AppContext,
): Promise<TeachRecord> {
  return teach(request, observer, harnessOf(context));
}

/** `bench` */
export function bench(
  request: BenchRequest,
  progress: (message: string) => void,
  { programs, ...context }: AppContext,
): Promise<BenchOutcome> {
  const [mainPath, peerScript] = [fileURLToPath(programs.main), fileURLToPath(programs.peer)];
  return runBench(request, { ...context, mainPath, peerScript }, progress);
}

/** `models report` */
export function reportModels(
  request: ReportRequest,
  visited: (done: number, of: number, name: string) => void,
  { programs, signal }: AppContext,
): Promise<Report> {
  return measureReport(request, { visited }, { entryUrl: programs.visit, signal });
}

/** `report savings --out`; returns the files. */
export function plotSavings(report: SavingsReport, folder: string): Promise<readonly string[]> {
  return writeFigure(folder, 'savings', savingsFigure(report));
}

function harnessOf(context: AppContext): EvaluationContext {
  return { ...context, openEngine: (choice) => openEngine(choice, context) };
}
