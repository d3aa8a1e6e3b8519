"""The Harbour Museum's kiosk in Chinese: fewer tools than in `tools/kiosk`, with the same hours, prices and departures.

Beside the tools lie the sentence templates (`sentences.yaml`), the rows written by hand (`train.jsonl`,
`valid.jsonl`, `test.jsonl`, `demo.jsonl`) and the time limits (`policy.json`).
"""
