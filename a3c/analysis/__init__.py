"""Run folders to tidy tables, tables to figures, both to a report. Never imports torch or mlflow.

Reading order: `outputs` (what there will be, without reading results), `reading` (one run folder), `intervals` (the
statistics), `score_tables`, `curve_tables`, `turn_tables` (rows), `tables` (writes them), `style`, `curve_figures`,
`count_figures`, `cliff_figures`, `figures` (draws from the tables alone), `answers`, `page` and `report`.
"""
