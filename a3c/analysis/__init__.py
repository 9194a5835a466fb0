"""Run folders to tidy tables, tables to figures, both to a report. Never imports torch or mlflow.

Reading order: `outputs` (what there will be, without reading results), `reading` (one run folder), `intervals`
(statistics); `score_tables`, `comparison_tables`, `curve_tables` and `turn_tables` (rows), `table_text`, `tables`
(writes them); `captions`, `style`, `curve_figures`, `turn_figures`, `score_figures`, `cliff_figures`, `figures` (draws
from the tables alone); `answers`, `page`, `report`.
"""
