language-name = Français
language-direction = ltr

page-sign-in = Se connecter
page-sign-in-toward = Connectez-vous pour continuer vers { $client }.
page-forgot-password = Mot de passe oublié ?

message-1010022 = Se connecter
message-1070001 = Mot de passe
message-1070004 = Adresse e-mail ou nom d’utilisateur

trait-first-name = Prénom
