"""Tools for the visitor kiosk of the Harbour Museum, a fictional site with a station at its door.

Each file stands alone, so that a device can load this folder by path. Next to the tools lie the sentence
templates (`sentences.yaml`), the rows written by hand (`train.jsonl`, `valid.jsonl`, `test.jsonl`, `demo.jsonl`)
and the time limits (`policy.json`).
"""
