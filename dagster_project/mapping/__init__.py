"""What a vendor's export means, declared: models, vocabulary and the compiler to SQL.

Nothing here reads data, opens a database or knows an orchestrator: it emits SQL text.
"""
