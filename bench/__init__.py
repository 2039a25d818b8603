"""What is measured, beside what it is measured against: ``python -m bench``. Each room has its file, see README.md."""
