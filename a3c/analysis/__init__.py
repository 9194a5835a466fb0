"""Run folders to tidy tables, tables to figures, both to a report. Never imports torch or mlflow.

Reading order: `outputs` (what there will be, without reading results), `reading` (one run folder); `intervals`,
`differences`, `profiles`, `power`, `coverage` (statistics); `published`, `published_throughput`, `normalized` (what the
paper printed); `score_tables`, `comparison_tables`, `curve_tables`, `turn_tables`, `sample_tables`, `sweep_tables` and
`predictions` (rows; the last by `phases` and the `simulator`), `views` (tables and figures that a study asks for),
`table_text`, `tables` (writes them); `captions`, `style`, `curve_figures`, `turn_figures`, `score_figures`,
`drift_figures`, `sweep_figures`, `prediction_figures`, `cliff_figures`, `figures` (draws from the tables alone);
`verdicts`, `asynchrony_answers`, `sweep_answers`, `answers`, `method`, `page`, `report`.
"""
