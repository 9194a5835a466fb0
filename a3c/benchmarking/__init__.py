"""How fast the trainer is: its parts, whole trainers beside their peers, and what the machine could do at best.

Modules, in the order in which they import each other: `rounds`, `limits`, `components`, `trainers`, `scaling`, `goals`,
`benchmark`, and `text`.
"""
