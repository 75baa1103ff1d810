"""The service: analyses over HTTP, at once or as jobs, and nothing kept that need not be.

    app ─▶ routes/ ─▶ workers ─▶ work          the analysis, in processes of its own
              └────▶ jobs ─▶ store, webhooks   what outlives a request

``stream`` hears live sound. Around every request lie ``access`` (keys and rates), ``uploads``
(how much comes in) and ``logs``.
"""
