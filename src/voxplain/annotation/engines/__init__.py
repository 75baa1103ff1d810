"""Who does the work: one way to run batches a file.

An engine has a CARD (``_card.Card``) and ``run(work, batches, jobs=N)``: it calls ``work`` with
each batch, on N workers, and yields (number of the batch, what ``work`` gave) as they are done, in
any order. Batches are taken as room comes up, never more than a few at once. A worker that dies is
WorkerLost; whoever stops listening stops the workers. One that ``joins`` a cluster takes its
``address``, too.
"""
