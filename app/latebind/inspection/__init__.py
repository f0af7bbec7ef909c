"""What was recorded: the graph of any array or program, as text, as a drawing, as a page.

`Recorded` is a recording as it was at one moment, without its data; `passes` takes it through the steps of the compiler
for one backend; `Graph` is both together, and what users see. Nothing here runs a recording or closes one.
"""
