"""Pages of releases and prompts, below /o/<organization>/.

A prompt's name has slashes, so its own page ends in one and what is done with it does not: `a/edit/` is the page of
the prompt `a/edit`, `a/edit` the editor of `a`.
"""

from django.urls import path

from releases.pages import editor, override, prompts, registering, release, releases, roll

urlpatterns = [
    path("releases/", releases.releases, name="releases"),
    path("releases/new", registering.register_release, name="release-new"),
    path("releases/<str:release>", release.release, name="release"),
    path("releases/<str:release>/override/", override.request_page, name="override-request"),
    path("releases/<str:release>/roll/", roll.roll, name="release-roll"),
    path("releases/<str:release>/manifest.json", release.manifest, name="release-manifest"),
    path("prompts/", prompts.prompts, name="prompts"),
    path("prompts/<path:name>/edit", editor.edit, name="prompt-edit"),
    path("prompts/<path:name>/preview", editor.preview, name="prompt-preview"),
    path("prompts/<path:name>/", prompts.prompt, name="prompt"),
]
