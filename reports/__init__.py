"""What the quality engineer reads: Spark over the lake, reconciled with the line, with statistics one can sign."""
