"""The mathematics: tensors in, tensors out. No process, no file, no setting; imports only torch.

Shapes are written `[T]` for one environment's rollout and `[T, B]` for B environments side by side; the same
functions take both. Time suffixes are the field's: action aₜ is chosen at observation oₜ and followed by reward rₜ
and discount dₜ.
"""
