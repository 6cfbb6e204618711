"""Programs that fit the weights of the kernel's models to annotated files; they print tables for docs/accuracy-methods.md.

python -m training.key [CORPUS [TRUTH]]       core/harmony/key_weights.py
python -m training.beat [CORPUS [TRUTH]]      core/rhythm/beat_weights.py, meter_accents_weights.py
python -m training.beat_tracker [CORPUS [TRUTH]]  core/rhythm/pulse_weights.py
python -m training.main_parts [CORPUS [TRUTH]]  core/structure/main_parts_weights.py
python -m training.meter [CORPUS [TRUTH]]     core/rhythm/meter_quantized_weights.py
"""
