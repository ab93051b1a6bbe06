-- Bases were never recorded here: each has a receipt beside its tree.
DROP TABLE base;
