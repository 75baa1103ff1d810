"""Long recordings and conversations: how each voice sounds over time.

    recording ─┬▶ turns ─▶ curves, turning points ─▶ Conversation ─▶ page, table, text
    speakers  ─┘

``speakers`` reads who speaks when, ``diarisers`` find it out, ``conversation`` puts all together.
"""
